// The composer and the chips under it. A chip prefills, it never sends, and it never destroys a draft.

const composer = () => document.querySelector("[data-composer]");
const box = () => composer()?.querySelector("textarea");

document.addEventListener("keydown", (event) => {
  if (event.target !== box() || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if (!composer().querySelector("button").disabled) composer().requestSubmit();
});

document.addEventListener("click", (event) => {
  const chip = event.target.closest(".chip");
  if (chip && box()) prefill(chip);
});

/** Insert the step at the caret, as typing does: the browser's own undo takes it out again in one go. */
function prefill(chip) {
  const text = chip.dataset.text;
  const area = box();
  const caret = area.selectionEnd;
  area.focus();
  area.setSelectionRange(caret, caret);
  const before = area.value.slice(0, caret);
  const after = area.value.slice(caret);
  const inserted = (before && !/\s$/.test(before) ? " " : "") + text + (after && !/^\s/.test(after) ? " " : "");
  if (!document.execCommand("insertText", false, inserted)) area.setRangeText(inserted, caret, caret, "end");
  composer().elements.step_handoff.value = chip.dataset.stepHandoff;
  composer().elements.step_index.value = chip.dataset.stepIndex;
  grow(area);
}

function grow(area) {
  area.style.blockSize = "auto";
  area.style.blockSize = `${Math.min(area.scrollHeight + 2, 240)}px`;
}

document.addEventListener("input", (event) => event.target === box() && grow(event.target));

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt;
  if (!event.detail.successful || !form.matches?.("[data-composer], [data-resets]")) return;
  if (form === composer()) markUsed(form);
  form.reset();
  for (const hidden of form.querySelectorAll('input[name="step_handoff"], input[name="step_index"]')) hidden.value = "";
  if (form !== composer()) return;
  grow(box());
  box().focus();
});

function markUsed(form) {
  const { step_handoff: handoff, step_index: index } = form.elements;
  if (handoff.value) {
    document.querySelector(`.chip[data-step-handoff="${handoff.value}"][data-step-index="${index.value}"]`)?.setAttribute("data-used", "");
  }
}
