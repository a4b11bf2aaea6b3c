// What was solved for oneself, beside the queue. Frames are the same for everybody, so a page whose own escalation has
// ended fetches its list; the worker compares the steps a moment later, so it looks again until that is done.

import { fetchDocument, replaceKeepingFocus } from "./live.js";

const AGAIN = 1500;
const MOST_AGAIN = 6;
const list = () => document.getElementById("lessons");
const said = document.querySelector("[data-lessons-said]");
const own = new Set(list()?.dataset.open.split(" ").filter(Boolean));
let left = MOST_AGAIN;
let soon;

async function fetchLessons() {
  const shown = list();
  const known = new Set([...shown.querySelectorAll("[data-lesson]")].map((lesson) => lesson.dataset.lesson));
  const page = await fetchDocument(shown.dataset.lessons);
  const fresh = page.getElementById("lessons");
  const came = [...fresh.querySelectorAll("[data-lesson]")].find((lesson) => !known.has(lesson.dataset.lesson));
  if (came) said.textContent = `Solved for you: ${came.querySelector("a").textContent}`;
  for (const id of fresh.dataset.open.split(" ").filter(Boolean)) own.add(id);
  replaceKeepingFocus(shown, fresh);
  lookAgain();
}

function look() {
  fetchLessons().catch(() => lookAgain(true)); // without an answer the list stays as it is, and is asked for again
}

function lookAgain(failed = false) {
  clearTimeout(soon);
  if (!(failed || "beingCompared" in list().dataset) || left === 0) return;
  left -= 1;
  soon = setTimeout(look, AGAIN);
}

/** Hears of every frame, and of every fetch of the list, after which anything may have happened. */
export function learnFrom(frame) {
  if (!list()) return;
  const card = document.getElementById(`handoff-${frame.handoff}`);
  if (card?.dataset.from === list().dataset.learner) own.add(frame.handoff);
  if (frame.type !== "resync" && !(frame.type === "handoff_resolved" && own.has(frame.handoff))) return;
  left = MOST_AGAIN;
  look();
}

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target.id === "lessons" && list().hidden) document.getElementById("main").focus({ preventScroll: true });
});

if (list()) lookAgain();
