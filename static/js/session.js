// A session or its context screen, live. What looks different for each person is fetched, not pushed.

import { keepAll, unkept } from "./drafts.js";
import { LivePage, fetchDocument, replaceKeepingFocus } from "./live.js";
import { tell } from "./notice.js";

const root = document.querySelector("[data-live]");

/** Bring the page's regions up to date. The composer stays as it is unless who may write has changed. */
async function fetchRegions() {
  let page = await fetchDocument(location.href);
  if (changesHands(page) && (await keepAll())) page = await fetchDocument(location.href); // which shows what was kept
  const fresh = page.querySelector("[data-live]");
  for (const shown of document.querySelectorAll("[data-region], .assessment")) {
    const region = shown.dataset.region;
    const wanted = region ? page.querySelector(`[data-region="${region}"]`) : page.getElementById(shown.id);
    if (!wanted || wanted.outerHTML === shown.outerHTML) continue;
    if (shown.dataset.regionKey && shown.dataset.regionKey === wanted.dataset.regionKey) continue;
    if (region === "composer") tellUnkept();
    const unfolded = [...shown.querySelectorAll("details[open][id]")].map(({ id }) => id);
    replaceKeepingFocus(shown, wanted);
    for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
  }
  root.dataset.mayPost = fresh.dataset.mayPost ?? "";
  return Number(fresh.dataset.liveCursor);
}

/** Whether somebody else holds the session now: what was being typed cannot be sent, but must not vanish. */
function changesHands(page) {
  const [shown, wanted] = [document, page].map((each) => each.querySelector('[data-region="composer"]')?.dataset.regionKey);
  return shown !== wanted;
}

/** The draft stands on the page that comes; unless it could not be kept. */
function tellUnkept() {
  for (const draft of unkept()) tell(`The session changed hands before you sent this: “${draft}”`);
}

const log = document.querySelector('[role="log"]');
const write = document.querySelector(".write");
const isAtEnd = () => log && log.getBoundingClientRect().bottom < innerHeight + 200;
let wasAtEnd = true;
addEventListener("scroll", () => (wasAtEnd = isAtEnd()), { passive: true });

/** The end of the conversation with the composer below it; on narrow screens more comes after that. */
function goToTheEnd() {
  window.scrollTo({ top: scrollY + log.getBoundingClientRect().bottom + write.offsetHeight - innerHeight });
}

// Whoever works the session begins where it stands; whoever comes back, where they were.
const [{ type: way }] = performance.getEntriesByType("navigation");
if (log && root.dataset.mayPost === "true" && !location.hash && way !== "back_forward") goToTheEnd();

new LivePage(root, {
  fetchAgain: fetchRegions,
  placed(frame) {
    if (log && wasAtEnd && ["message_posted", "message_delta"].includes(frame.type)) goToTheEnd();
  },
});
