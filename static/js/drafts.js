// What is written and not sent is kept on the server: it outlives a reload, a sign-out and a lost claim.
//
// A form says with `data-keeps` which field it is, and with `data-sendings` how often that was sent when the page saw it. A
// save that names an earlier number is refused, so that nothing comes back after it was sent.

import { tell } from "./notice.js";

const PAUSE = 1000;
const RETRY = 5000;
const page = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const states = new WeakMap(); // form → {saved, sending, underWay, timer}; saved: the text that the server has
let turn = 0;

const forms = () => [...document.querySelectorAll("[data-keeps]")];
const area = (form) => form.querySelector("textarea");

function stateOf(form) {
  if (!states.has(form)) {
    const isWrong = form.querySelector("[aria-invalid], .wrong"); // then the text is what was typed, which nobody kept
    states.set(form, { saved: isWrong ? undefined : area(form).defaultValue, sending: false });
  }
  return states.get(form);
}

const isDirty = (form) => !stateOf(form).sending && (stateOf(form).saved ?? "") !== area(form).value;

document.addEventListener("input", (event) => {
  const form = event.target.matches("textarea") && event.target.closest("[data-keeps]");
  if (!form) return;
  const state = stateOf(form);
  state.sending = state.sending && form.matches("[hx-post]"); // whoever goes on typing is still here
  clearTimeout(state.timer);
  state.timer = setTimeout(() => save(form), PAUSE);
});

/** Save now what is not saved yet. Resolves to whether anything was. */
export async function keepAll() {
  return (await Promise.all(forms().filter(isDirty).map(save))).includes(true);
}

/** What stands in the fields and is nowhere else yet. */
export const unkept = () => forms().filter(isDirty).map((form) => area(form).value.trim()).filter(Boolean);

async function save(form) {
  const state = stateOf(form);
  clearTimeout(state.timer);
  if (!isDirty(form)) return false;
  const before = state.saved;
  state.saved = area(form).value;
  const answer = await post(form).catch(() => undefined);
  if (answer?.status === 204) return true;
  state.saved = before;
  if (answer?.status === 409) {
    form.dataset.sendings = (await answer.json()).sent;
    return save(form);
  }
  if (!answer || answer.status >= 500 || answer.status === 429) state.timer = setTimeout(() => save(form), RETRY);
  return false;
}

function post(form) {
  const kept = document.getElementById("draft");
  const told = new FormData(kept);
  const fields = { field: form.dataset.keeps, text: area(form).value, sent: form.dataset.sendings, page, turn: ++turn };
  for (const name of ["step_handoff", "step_index"]) fields[name] = form.elements[name]?.value ?? "";
  for (const [name, value] of Object.entries(fields)) told.append(name, value);
  return fetch(kept.action, { method: "POST", body: told, keepalive: true, redirect: "manual" });
}

document.addEventListener("focusout", (event) => event.target.closest?.("[data-keeps]") && keepAll());
document.addEventListener("visibilitychange", () => document.hidden && keepAll());
addEventListener("pagehide", keepAll);

// While a form is being sent nothing is saved: the text is about to be history. Should it fail, it is saved again.
addEventListener("submit", ({ target: form, defaultPrevented }) => {
  if (defaultPrevented || !form.matches?.("[data-keeps]")) return;
  save(form); // the page goes: what comes of it, it cannot learn
  stateOf(form).sending = true;
});
document.addEventListener("htmx:beforeRequest", ({ detail: { elt: form } }) => {
  if (form.matches?.("[data-keeps]")) stateOf(form).sending = true;
});

document.addEventListener("htmx:afterRequest", ({ detail: { elt: form, successful } }) => {
  if (!form.matches?.("[data-keeps]")) return;
  const state = stateOf(form);
  state.sending = false;
  if (!successful) return void save(form);
  state.saved = "";
  form.dataset.sendings = Number(form.dataset.sendings) + 1;
  form.querySelector("[data-kept-note]")?.remove();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copies]");
  if (button) copy(button, document.getElementById(button.dataset.copies));
});

async function copy(button, text) {
  text.select();
  const done = await navigator.clipboard?.writeText(text.value).then(() => true, () => false);
  if (done || document.execCommand("copy")) button.textContent = "Copied";
  else tell("The browser did not let us copy it. The text is marked: copy it with the keyboard.");
}
