// The composer: Enter sends, Shift+Enter breaks the line, Escape leaves it; it grows with its text.

export const composer = () => document.querySelector("[data-composer]");
export const box = () => composer()?.querySelector("textarea");

document.addEventListener("keydown", (event) => {
  if (event.target !== box() || event.isComposing) return;
  if (event.key === "Escape") box().blur();
  if (event.key !== "Enter" || event.shiftKey) return;
  event.preventDefault();
  if (!composer().querySelector(".send").disabled) composer().requestSubmit();
});

export function grow(area) {
  area.style.blockSize = "auto";
  area.style.blockSize = `${Math.min(area.scrollHeight + 2, 240)}px`;
}

document.addEventListener("input", (event) => event.target === box() && grow(event.target));

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt;
  if (!event.detail.successful || !form.matches?.("[data-composer], [data-resets]")) return;
  if (form === composer()) box().defaultValue = ""; // the draft that the page came with is sent
  form.reset();
  if (form !== composer()) return;
  grow(box());
  box().focus();
});
