// Suggested steps. A chip puts its step into the composer; it never sends, and it never destroys a draft.

import { box, composer, grow } from "./composer.js";
import { isShortcut } from "./keyboard.js";

const inserted = []; // since the last message: {before, after, handoff, index}, each a state of the draft

document.addEventListener("click", (event) => {
  const chip = event.target.closest(".chip");
  if (!chip || !box()) return;
  event.preventDefault(); // it is a form's button, which the server answers with the step in the composer
  insert(chip);
});

// 1 to 9 press the chips, wherever nothing is being typed.
document.addEventListener("keydown", (event) => {
  if (!/^[1-9]$/.test(event.key) || !isShortcut(event)) return;
  const chip = document.querySelectorAll(".chip")[Number(event.key) - 1];
  if (!chip || !box()) return;
  event.preventDefault();
  insert(chip);
});

/** Insert the step at the caret, as typing does: the browser's own undo takes it out again in one go. */
function insert(chip) {
  const area = box();
  const caret = area.selectionEnd;
  const before = area.value;
  area.focus();
  area.setSelectionRange(caret, caret);
  const text = spaced(chip.dataset.text, before.slice(0, caret), before.slice(caret));
  const { stepHandoff: handoff, stepIndex: index } = chip.dataset;
  inserted.push({ before, after: before.slice(0, caret) + text + before.slice(caret), handoff, index });
  if (!document.execCommand("insertText", false, text)) area.setRangeText(text, caret, caret, "end");
  remember(inserted.at(-1));
  grow(area);
}

function spaced(text, before, after) {
  return (before && !/\s$/.test(before) ? " " : "") + text + (after && !/^\s/.test(after) ? " " : "");
}

// Where the message comes from follows undo and redo; whoever empties the box begins anew.
document.addEventListener("input", (event) => {
  if (event.target !== box() || inserted.length === 0) return;
  const draft = box().value;
  const done = inserted.findLastIndex((each) => each.after === draft);
  const undone = inserted.findIndex((each) => each.before === draft);
  if (done >= 0) remember(inserted[done]);
  else if (undone >= 0) remember(inserted[undone - 1]);
  else if (!draft.trim()) remember(undefined);
});

document.addEventListener("reset", (event) => {
  if (event.target !== composer()) return;
  inserted.length = 0;
  remember(undefined);
  delete document.querySelector(".write").dataset.late;
});

function remember(step) {
  const { step_handoff: handoff, step_index: index } = composer().elements;
  handoff.value = step?.handoff ?? "";
  index.value = step?.index ?? "";
}

// What was sent or recorded is in the log and in the ledger; chips and list show it.

const same = (one, other) =>
  one.dataset.stepHandoff === other.dataset.stepHandoff && one.dataset.stepIndex === other.dataset.stepIndex;

function mark() {
  const uses = [...document.querySelectorAll(".log [data-step-index], #steps [data-step-index]")];
  for (const shown of document.querySelectorAll(".chip, .suggestion")) {
    const found = uses.filter((use) => same(use, shown));
    const outcome = found.find((use) => use.dataset.outcome);
    if (shown.matches(".chip")) shown.toggleAttribute("data-used", shown.hasAttribute("data-used") || found.length > 0);
    if (!outcome) continue;
    shown.dataset.outcome = outcome.dataset.outcome;
    if (shown.matches(".suggestion")) tellOutcome(shown.querySelector(".recorded"), outcome);
  }
}

function tellOutcome(line, outcome) {
  const item = line.closest(".suggestion");
  if (item.querySelector(".record").contains(document.activeElement)) item.focus({ preventScroll: true });
  const words = outcome.querySelector(".told .hidden").textContent.replace(": ", "");
  line.hidden = false;
  if (line.querySelector("b").textContent !== words) line.querySelector("b").textContent = words;
}

let were = Boolean(document.querySelector(".chips"));

/** Chips that come while somebody writes take one line, as what announced them did: the composer stays where it is. */
function arrive() {
  const are = Boolean(document.querySelector(".chips"));
  if (are && !were && document.activeElement === box()) document.querySelector(".write").dataset.late = "";
  were = are;
}

new MutationObserver(() => {
  arrive();
  mark();
}).observe(document.getElementById("main"), { childList: true, subtree: true });
