// What the feed saw today, beside the queue: each frame counts on, and each fetch of the list puts it right.

const COUNTED = ["handoff_created", "handoff_picked_up", "handoff_resolved"];
const shown = document.querySelectorAll("[data-today] dd");

/** `counts` are the three numbers as the list carries them, in the panel's order. */
export function putRight(counts) {
  counts.split(" ").forEach((count, position) => (shown[position].textContent = count));
}

export function countOn(type) {
  const one = shown[COUNTED.indexOf(type)];
  if (one) one.textContent = Number(one.textContent) + 1;
}
