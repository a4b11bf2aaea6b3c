// The bell on every page: how many escalations of colleagues are unread, and which.
//
// The server says once how many, and at which cursor. From there the bell counts frames on, by the queue's own rule: the
// next cursor counts, an older one is dropped, and on a gap the server is asked again. One tab of a browser hears the
// frames, rings, and tells the others (ears.js). What was missed between two pages, or on a gap, rings a moment late.

import { refresh } from "./clock.js";
import { Ears } from "./ears.js";
import { forget, ring } from "./ringing.js";

const PATIENCE = 1000; // a heartbeat may overtake the frame that it counts
const ASK_EVERY = 3600_000; // quiet hours are told for a day
const RECENT = 60_000;
const MOST = 100;
const bell = document.querySelector("[data-bell]");
const HOME = bell.dataset.bell; // the page of all notifications
const HEARD = `bell-${bell.dataset.person}`;
const button = bell.querySelector("[data-bell-button]");
const count = bell.querySelector("[data-bell-count]");
const panel = bell.querySelector("[data-bell-panel]");
const status = bell.querySelector("[data-bell-said]");
let told; // what the server said, counted on
let doubt;
let waiting; // frames, while the server is asked

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

/**
 * Ask how many are unread; what came after the position `since` and nobody heard of rings now. Frames that come
 * meanwhile are heard afterwards. Resolves to whether the server answered.
 */
async function ask(since = told?.cursor) {
  if (waiting) return false;
  waiting = [];
  let state;
  try {
    const address = since === undefined ? `${HOME}state/` : `${HOME}state/?since=${since}`;
    const { missed = [], ...rest } = await (await answer(address)).json();
    state = rest;
    show(state);
    ears.tell(state);
    if (ears.leads) for (const each of missed) ring(each, state);
  } catch {
    // the next heartbeat asks again
  }
  const frames = waiting;
  waiting = undefined;
  frames.forEach(hear);
  return Boolean(state);
}

/** What another tab was told, or this one when it read something; meanwhile this one may have heard more. */
function take(state) {
  if (!told || state.cursor >= told.cursor) show(state);
  else if (ears.leads) ask();
}

/** Where the page before this one stopped listening, a moment ago. */
function lastHeard() {
  const last = JSON.parse(localStorage.getItem(HEARD) ?? "null");
  return last && Date.now() - last.at < RECENT ? last.cursor : undefined;
}

addEventListener("pagehide", () => {
  if (told && ears.leads) localStorage.setItem(HEARD, JSON.stringify({ cursor: told.cursor, at: Date.now() }));
});

function hear(frame) {
  if (waiting) return void waiting.push(frame);
  if (!told || frame.type === "resync") return void ask();
  if (frame.type === "ready" || frame.type === "heartbeat") return compare(frame);
  if (!(frame.cursor > told.cursor)) return;
  const isUntold = frame.type === "handoff_created" && !frame.html; // somebody has it already: whose it was is not said
  if (frame.cursor > told.cursor + 1 || isUntold) return void ask();
  told.cursor = frame.cursor;
  if (frame.type === "handoff_created") arrive(frame.html);
  else if (!frame.html) forget(frame.handoff);
  ears.tell(told);
}

function compare({ type, cursor }) {
  bell.dataset.hears = "yes";
  const wentBack = cursor < told.cursor; // a restored backup
  clearTimeout(doubt);
  doubt = setTimeout(() => (wentBack || cursor > told.cursor) && ask(), type === "ready" ? 0 : PATIENCE);
}

function arrive(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const { handoff, from, priority, title } = template.content.firstElementChild.dataset;
  if (from === bell.dataset.person) return;
  if (told.wanted.bell.includes(priority)) show({ ...told, unread: Math.min(MOST, told.unread + 1) });
  ring({ handoff, priority, title }, told);
}

// The panel

async function open() {
  if (!panel.firstElementChild) panel.textContent = "Loading…";
  try {
    panel.innerHTML = await (await answer(`${HOME}panel/`)).text();
  } catch {
    panel.textContent = "The server cannot be reached. Close this and try again in a moment.";
    return;
  }
  refresh(panel);
  const { areAll, unread, cursor } = panel.firstElementChild.dataset;
  if (areAll === "yes" && unread !== "0") await read(cursor); // whoever sees only some of them marks the rest by hand
}

/** What cannot be marked as read stays unread. */
async function read(cursor) {
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const body = new URLSearchParams({ up_to: cursor, csrfmiddlewaretoken: token });
  try {
    const state = await (await answer(`${HOME}read/`, { method: "POST", body })).json();
    take(state);
    ears.tell(state);
  } catch {
    panel.prepend("That did not reach the server. ");
  }
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
  poll: () => ask(),
  isTold: take,
});

const hasPanel = "popover" in HTMLElement.prototype; // else the link leads to the page
if (hasPanel) panel.hidden = false;
bell.querySelector("a").hidden = hasPanel;
button.hidden = !hasPanel;
await ears.claim();
await ask(ears.leads ? lastHeard() : undefined);
ears.listen();
setInterval(() => ears.leads && ask(), ASK_EVERY);
