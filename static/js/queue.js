// The live queue: counts what waits, keeps its order over every fetch, and counts arrivals in the tab's title.

import { leave, welcome } from "./calm.js";
import { learnFrom } from "./lessons.js";
import { LivePage, fetchDocument, process, replaceKeepingFocus } from "./live.js";
import { offersChanged } from "./offers.js";
import { countOn, putRight } from "./today.js";

const root = document.querySelector("[data-live]");
const list = document.getElementById("cards");
const heading = document.querySelector("[data-waiting-count]");
const shown = document.querySelector("[data-shown-count]");
const title = document.title;
let arrivals = 0;

/** The list as the server has it, in the order that this page began with: that is what `base` is for. */
async function fetchCards() {
  const page = await fetchDocument(`${root.dataset.liveList}?base=${root.dataset.liveBase}`);
  const fresh = page.getElementById("cards");
  const known = new Set([...list.children].map((card) => card.id));
  const wanted = [...fresh.children];
  const ids = new Set(wanted.map((card) => card.id));
  for (const card of [...list.children]) if (!ids.has(card.id)) leave(card);
  wanted.forEach((card, position) => settle(card, position));
  noticeArrivals(wanted.filter((card) => !known.has(card.id)).length);
  putRight(fresh.dataset.today);
  return Number(fresh.dataset.cursor);
}

/** Put one fetched card in its place; a card that did not change is left alone, and so is its focus. */
function settle(card, position) {
  const shown = document.getElementById(card.id);
  if (shown && shown.dataset.version !== card.dataset.version) replaceKeepingFocus(shown, card);
  const place = list.children[position];
  if (!shown) {
    welcome(card);
    list.insertBefore(card, place ?? null);
    process(card);
  } else if (place !== shown) list.insertBefore(shown, place ?? null);
}

function count() {
  const waiting = list.children.length;
  const words = waiting === 0 ? "No escalations" : waiting === 1 ? "1 escalation" : `${waiting} escalations`;
  const text = `${words} awaiting pickup`;
  if (heading.textContent !== text) heading.textContent = text;
  const { filter } = list.dataset;
  if (filter) shown.textContent = `${list.querySelectorAll(filter).length} of ${waiting} shown`;
}

const BURST = 1000;
const APART = 3000; // between two announcements, however much arrives
const region = list.closest("[aria-live]");
let burst;
let announced = -APART;

/** A screen reader hears of a burst once, when it is over, and of a long one every few seconds. */
function hush() {
  region.setAttribute("aria-busy", "true");
  clearTimeout(burst);
  burst = setTimeout(announce, Math.max(BURST, Math.ceil(announced + APART - performance.now())));
}

function announce() {
  announced = performance.now();
  region.removeAttribute("aria-busy");
}

function noticeArrivals(number) {
  if (number > 0) hush();
  if (!document.hidden || number === 0) return;
  arrivals += number;
  document.title = `(${arrivals}) ${title}`;
}

function noticed() {
  arrivals = 0;
  document.title = title;
}

addEventListener("focus", noticed);
addEventListener("pagehide", noticed);
document.addEventListener("visibilitychange", () => document.hidden || noticed());

new LivePage(root, {
  fetchAgain: fetchCards,
  came: welcome,
  leave,
  placed(frame) {
    count();
    countOn(frame);
    offersChanged(frame);
    document.dispatchEvent(new CustomEvent("queue-frame", { detail: frame })); // for the bell
    learnFrom(frame);
    if (frame.html && ["handoff_created", "handoff_released"].includes(frame.type)) noticeArrivals(1);
  },
});
