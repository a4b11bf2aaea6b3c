// What the feed saw today, beside the queue: each frame counts on, and each fetch of the list puts it right.

const COUNTED = ["handoff_created", "handoff_picked_up", "handoff_resolved"];
const PICKED_UP = 1;
const list = document.getElementById("cards");
const shown = document.querySelectorAll("[data-today-counts] dd");

/** `counts` are the three numbers as the list carries them, in the panel's order. */
export function putRight(counts) {
  list.dataset.today = counts;
  counts.split(" ").forEach((count, position) => (shown[position].textContent = count));
}

/** A pick-up that is undone counts as nothing, and so does one that goes on after a return. */
export function countOn({ type, undone }) {
  const counts = list.dataset.today.split(" ").map(Number);
  if (undone && type === "handoff_released") counts[PICKED_UP] = Math.max(0, counts[PICKED_UP] - 1);
  else if (!undone && COUNTED.includes(type)) counts[COUNTED.indexOf(type)] += 1;
  putRight(counts.join(" "));
}
