// The bell on every page: how many escalations of colleagues are unread, and which.
//
// The server says once how many, and at which cursor. From there the bell counts frames on, by the queue's own rule: the
// next cursor counts, an older one is dropped, and on a gap the server is asked again. One tab of a browser hears the
// frames, rings, and tells the others (ears.js).

import { refresh } from "./clock.js";
import { Ears } from "./ears.js";
import { forget, ring } from "./ringing.js";

const PATIENCE = 1000; // a heartbeat may overtake the frame that it counts
const QUIET_HOURS_KEPT = 3600_000;
const MOST = 100;
const bell = document.querySelector("[data-bell]");
const button = bell.querySelector("[data-bell-button]");
const count = bell.querySelector("[data-bell-count]");
const panel = bell.querySelector("[data-bell-panel]");
const status = bell.querySelector("[data-bell-said]");
let told; // what the server said, counted on
let toldAt = 0;
let doubt;

function show(state) {
  const more = told && state.unread > told.unread;
  told = state;
  const number = state.unread >= MOST ? `${MOST - 1}+` : String(state.unread);
  const words = `Notifications, ${state.unread ? number : "none"} unread`;
  button.setAttribute("aria-label", words);
  count.textContent = number;
  count.hidden = state.unread === 0;
  if (more && !document.getElementById("cards")) status.textContent = words; // the queue tells of its cards itself
}

async function answer(address, options = {}) {
  const signal = AbortSignal.timeout(8000);
  const headers = { "X-Requested-With": "fetch", ...options.headers };
  const found = await fetch(address, { cache: "no-store", signal, ...options, headers });
  if (!found.ok || found.redirected) throw new Error(`${found.status} from ${address}`);
  return found;
}

/** Ask how many are unread. Resolves to whether the server answered. */
async function ask() {
  try {
    const state = await (await answer(bell.dataset.bell)).json();
    toldAt = Date.now();
    show(state);
    ears.tell(state);
    return true;
  } catch {
    return false; // the next heartbeat asks again
  }
}

function hear(frame) {
  if (!told || frame.type === "resync") return void ask();
  if (frame.type === "ready" || frame.type === "heartbeat") return compare(frame);
  if (!(frame.cursor > told.cursor)) return;
  const follows = frame.cursor === told.cursor + 1;
  if (frame.type === "handoff_created") arrive(frame, follows);
  else if (frame.handoff && !frame.html) forget(frame.handoff);
  if (!follows) return void ask();
  told.cursor = frame.cursor;
  ears.tell(told);
}

function compare({ type, cursor }) {
  const isStale = Date.now() - toldAt > QUIET_HOURS_KEPT;
  if (cursor === told.cursor && !isStale) return;
  clearTimeout(doubt);
  doubt = setTimeout(() => (cursor > told.cursor || cursor < told.cursor || isStale) && ask(), type === "ready" ? 0 : PATIENCE);
}

function arrive(frame, follows) {
  if (!frame.html) return void ask(); // somebody has it already, and whose it was is not told
  const template = document.createElement("template");
  template.innerHTML = frame.html;
  const { handoff, from, priority, title } = template.content.firstElementChild.dataset;
  if (from === bell.dataset.person) return;
  if (follows && told.wanted.bell.includes(priority)) show({ ...told, unread: Math.min(MOST, told.unread + 1) });
  ring({ handoff, priority, title }, told);
}

// The panel

async function open() {
  if (!panel.firstElementChild) panel.textContent = "Loading…";
  try {
    panel.innerHTML = await (await answer(bell.dataset.panel)).text();
  } catch {
    panel.textContent = "The server cannot be reached. Close this and try again in a moment.";
    return;
  }
  refresh(panel);
  const { areAll, unread, cursor } = panel.firstElementChild.dataset;
  if (areAll === "yes" && unread !== "0") await read(cursor); // whoever sees only some of them marks the rest by hand
}

async function read(cursor) {
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const body = new URLSearchParams({ up_to: cursor, csrfmiddlewaretoken: token });
  const state = await (await answer(bell.dataset.read, { method: "POST", body })).json();
  show(state);
  ears.tell(state);
}

panel.addEventListener("toggle", (event) => {
  if (event.newState !== "open") return;
  panel.focus();
  open();
});
panel.addEventListener("submit", async (event) => {
  event.preventDefault();
  await read(new FormData(event.target).get("up_to"));
  await open();
  panel.focus();
});

const ears = new Ears(bell.dataset.person, {
  hear,
  poll: ask,
  isTold(state) {
    if (!told || state.cursor >= told.cursor) show(state);
    else if (ears.leads) ask(); // another tab read something at an older position
  },
});

bell.querySelector("a").hidden = true;
button.hidden = false;
ask().then(() => ears.listen());
