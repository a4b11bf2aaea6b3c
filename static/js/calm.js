// Calm: no card moves under the pointer or the keyboard's focus.
//
// What arrives meanwhile is in the list, but unseen behind "3 new", until the list is free or that is pressed. What
// leaves meanwhile leaves its room behind.

const SETTLED = 150; // the pointer goes from card to card, and the focus from one control to the next
const BURST = 1000;
const list = document.getElementById("cards");
const pill = document.querySelector("[data-new]");
const status = document.querySelector("[data-new-said]");
const points = matchMedia("(hover: hover)"); // after a tap, a touch screen goes on hovering
let saying;

const held = () => list.querySelectorAll("[data-held]");
const underPointer = () => (points.matches ? list.querySelector(".card:hover") : null);
const underFocus = () => list.querySelector(".card:has(:focus-visible)");

/** Whether somebody points at a card, has the focus in one, or is about to press; nobody looks at a hidden tab. */
function isBusy() {
  return !document.hidden && Boolean(underPointer() || underFocus() || pill.matches(":hover, :focus-visible"));
}

/** A card is about to come: it is shown with an arrival, or waits. */
export function welcome(card) {
  if (!isBusy()) return;
  card.dataset.held = "";
  queueMicrotask(tellHeld); // once it is in the list
}

/** A card goes; what stands below the pointer or the focus stays where it is. */
export function leave(card) {
  const anchor = [underFocus(), underPointer()].find(Boolean);
  const still = anchor === card ? nextShown(card) : anchor;
  const before = still?.getBoundingClientRect().top;
  card.remove();
  if (still) push(still, before - still.getBoundingClientRect().top);
  tellHeld();
}

function nextShown(card) {
  let next = card.nextElementSibling;
  while (next && "held" in next.dataset) next = next.nextElementSibling;
  return next;
}

function push(card, pixels) {
  if (pixels > 0) card.style.marginBlockStart = `${(parseFloat(card.style.marginBlockStart) || 0) + pixels}px`;
}

function tellHeld() {
  const count = held().length;
  pill.hidden = count === 0;
  pill.textContent = `${count} new`;
  clearTimeout(saying);
  saying = setTimeout(() => (status.textContent = count ? `${count} new, above the list` : ""), BURST);
}

function show() {
  const cards = [...held()];
  for (const card of list.children) card.style.removeProperty("margin-block-start");
  for (const card of cards) {
    delete card.dataset.held;
    card.dataset.arriving = "";
    setTimeout(() => delete card.dataset.arriving, 800);
  }
  tellHeld();
  return cards[0];
}

function showIfFree() {
  setTimeout(() => isBusy() || show(), SETTLED);
}

for (const place of [list, pill]) {
  place.addEventListener("pointerout", showIfFree);
  place.addEventListener("focusout", showIfFree);
}
document.addEventListener("visibilitychange", showIfFree);
pill.addEventListener("click", () => {
  const first = show();
  first?.querySelector("a").focus();
  first?.scrollIntoView({ block: "center" });
});
