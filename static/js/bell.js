// The bell on every page: how many notifications are unread, and which.
//
// The server says once how many, and at which cursor. From there the bell counts escalations on, by the queue's own rule:
// the next cursor counts, an older one is dropped, and on a gap the server is asked again. It is asked, too, when a frame
// names this person: in an offer, or in what came back from them. One tab of a browser hears the frames, rings, and tells
// the others (ears.js). What was missed between two pages, or on a gap, rings a moment late.

import { refresh } from "./clock.js";
import { Ears } from "./ears.js";
import { forget, ring } from "./ringing.js";

const PATIENCE = 1000; // a heartbeat may overtake the frame that it counts
const ASK_EVERY = 300_000; // a frame about an offer has no cursor: that one is lost shows nowhere
const NO_FRAMES = 1500; // then it is asked without them
const SPREAD = 5000; // so that not everybody asks at the same moment after a restart
const RECENT = 60_000;
const MOST = 100;
const bell = document.querySelector("[data-bell]");
const HOME = bell.dataset.bell; // the page of all notifications
const PERSON = bell.dataset.person;
const HEARD = `bell-${PERSON}`;
const button = bell.querySelector("[data-bell-button]");
const count = bell.querySelector("[data-bell-count]");
const panel = bell.querySelector("[data-bell-panel]");
const status = bell.querySelector("[data-bell-said]");
let told; // what the server said, counted on
let doubt;
let waiting; // frames, while the server is asked

function show(state) {
  const isQueue = document.getElementById("cards"); // which tells of its cards itself
  const more = told && (isQueue ? offersSince(told, state).length > 0 : state.unread > told.unread);
  const waits = new Set(state.offers.filter((each) => each.waits).map(({ offer }) => offer));
  for (const { offer } of told?.offers ?? []) if (!waits.has(offer)) forget(offer);
  told = state;
  const number = state.unread >= MOST ? `${MOST - 1}+` : String(state.unread);
  const words = `Notifications, ${state.unread ? number : "none"} unread`;
  button.setAttribute("aria-label", words);
  count.textContent = number;
  count.hidden = state.unread === 0;
  if (more) status.textContent = words;
}

/** Unread offers and answers of a state that the one before did not have. */
function offersSince(before, { offers }) {
  const known = new Set(before.offers.map(({ offer }) => offer));
  return offers.filter(({ offer }) => !known.has(offer));
}

async function answer(address, options = {}) {
  const signal = AbortSignal.timeout(8000);
  const headers = { "X-Requested-With": "fetch", ...options.headers };
  const found = await fetch(address, { cache: "no-store", signal, ...options, headers });
  if (!found.ok || found.redirected) throw new Error(`${found.status} from ${address}`);
  return found;
}

/**
 * Ask how many are unread; what came since it was asked last and nobody heard of rings now. Frames that come meanwhile
 * are heard afterwards. Resolves to whether the server answered.
 */
async function ask() {
  if (waiting) return false;
  waiting = [];
  let state;
  try {
    const before = told ?? (ears.leads ? lastHeard() : undefined);
    const address = before ? `${HOME}state/?since=${before.cursor}` : `${HOME}state/`;
    const { missed = [], offers = [], ...rest } = await (await answer(address)).json();
    state = { ...rest, offers };
    show(state);
    if (ears.leads) {
      ears.tell(state);
      if (before) catchUp(before, state, missed);
    }
  } catch {
    // the next heartbeat asks again
  }
  const frames = waiting;
  waiting = undefined;
  frames.forEach(hear);
  return Boolean(state);
}

function catchUp(before, state, missed) {
  for (const each of missed) ring({ ...each, tag: each.handoff }, state);
  for (const each of offersSince(before, state)) if (each.waits) ring({ ...each, tag: each.offer }, state);
}

/** What another tab was told, or this one when it read something. The one that listens asks for itself, and tells all. */
function take({ isRead, ...state }) {
  if (!ears.leads && (!told || state.cursor >= told.cursor)) show(state);
  if (ears.leads ? isRead : waiting) hear({ type: "resync" });
}

/** Where the page before this one stopped listening, a moment ago. */
function lastHeard() {
  const last = JSON.parse(localStorage.getItem(HEARD) ?? "null");
  return last?.offers && Date.now() - last.at < RECENT ? last : undefined;
}

addEventListener("pagehide", () => {
  if (!told || !ears.leads) return;
  const { cursor } = told;
  const offers = told.offers.map(({ offer }) => ({ offer })); // titles are nobody else's business here
  localStorage.setItem(HEARD, JSON.stringify({ cursor, offers, at: Date.now() }));
});

function hear(frame) {
  if (waiting) return void waiting.push(frame);
  if (frame.type === "ready" || frame.type === "heartbeat") bell.dataset.hears = "yes";
  if (!told || frame.type === "resync") return void ask();
  if (frame.type === "ready" || frame.type === "heartbeat") return compare(frame);
  if (frame.type === "connected") return askSoon();
  if (frame.type === "offers_changed") return void ([frame.to, frame.by].includes(PERSON) && ask());
  if (!(frame.cursor > told.cursor)) return;
  const isUntold = frame.type === "handoff_created" && !frame.html; // somebody has it already: whose it was is not said
  if (frame.cursor > told.cursor + 1 || isUntold || frame.returned_from === PERSON) return void ask();
  told.cursor = frame.cursor;
  if (frame.type === "handoff_created") arrive(frame.html);
  else if (!frame.html) forget(frame.handoff);
  ears.tell(told);
}

/** While it was away, offers may have come. */
function askSoon() {
  setTimeout(ask, Math.random() * SPREAD);
}

function compare({ type, cursor }) {
  if (type === "ready") askSoon();
  const wentBack = cursor < told.cursor; // a restored backup
  clearTimeout(doubt);
  doubt = setTimeout(() => (wentBack || cursor > told.cursor) && ask(), type === "ready" ? 0 : PATIENCE);
}

function arrive(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const { handoff, from, priority, title } = template.content.firstElementChild.dataset;
  if (from === PERSON) return;
  if (told.wanted.bell.includes(priority)) show({ ...told, unread: Math.min(MOST, told.unread + 1) });
  ring({ tag: handoff, handoff, priority, title }, told);
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
  const { areAll, unread, cursor, offers } = panel.firstElementChild.dataset;
  if (areAll === "yes" && unread !== "0") await read({ up_to: cursor, offers }); // whoever sees only some marks by hand
}

/** What cannot be marked as read stays unread. */
async function read(seen) {
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const body = new URLSearchParams({ ...seen, csrfmiddlewaretoken: token });
  try {
    const state = await (await answer(`${HOME}read/`, { method: "POST", body })).json();
    take({ ...state, isRead: true });
    ears.tell({ ...state, isRead: true });
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
  await read(Object.fromEntries(new FormData(event.target)));
  await open();
  panel.focus();
});

const ears = new Ears(bell.dataset.person, {
  hear,
  poll: ask,
  isTold: take,
});

const hasPanel = "popover" in HTMLElement.prototype; // else the link leads to the page
if (hasPanel) panel.hidden = false;
bell.querySelector("a").hidden = hasPanel;
button.hidden = !hasPanel;
await ears.claim();
// Whoever listens asks when the first frame says that nothing is lost any more.
if (ears.leads) setTimeout(() => told || ask(), NO_FRAMES);
else await ask();
ears.listen();
setInterval(() => ears.leads && ask(), ASK_EVERY);
