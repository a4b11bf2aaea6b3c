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

// What was sent goes out of its form once it has arrived. What was typed meanwhile stays.

const underWay = new WeakMap(); // form → {sent: what each field said, since: those that were written in since}
const isEmptied = (form) => form.matches?.("[data-composer], [data-resets]");

document.addEventListener("htmx:beforeRequest", ({ detail: { elt: form } }) => {
  if (!isEmptied(form)) return;
  const sent = new Map([...form.elements].map((field) => [field, field.value]));
  underWay.set(form, { sent, since: new Set() });
});

document.addEventListener("input", ({ target }) => underWay.get(target.form)?.since.add(target));

document.addEventListener("htmx:afterRequest", ({ detail: { elt: form, successful } }) => {
  if (!isEmptied(form)) return;
  const typed = successful ? typedSince(underWay.get(form)) : [];
  underWay.delete(form);
  if (!successful) return;
  if (form === composer()) box().defaultValue = ""; // the draft that the page came with is sent
  form.reset();
  for (const [field, text] of typed) {
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  if (form !== composer()) return;
  grow(box());
  box().focus();
});

function typedSince({ sent, since }) {
  const fields = [...since].filter((field) => field.type !== "file");
  return fields.map((field) => [field, field === box() ? added(field.value, sent.get(field)) : field.value]);
}

/** The caret stayed behind the message: what is typed there goes on from it. */
const added = (now, sent) => (now !== sent && now.startsWith(sent) ? now.slice(sent.length).trimStart() : now);
