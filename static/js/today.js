// What the feed saw today, beside the queue: each frame counts on, and each fetch of the list puts it right.

const COUNTED = ["handoff_created", "handoff_picked_up", "handoff_resolved"];
const list = document.getElementById("cards");
const shown = document.querySelectorAll("[data-today-counts] dd");

/** `counts` are the three numbers as the list carries them, in the panel's order. */
export function putRight(counts) {
  list.dataset.today = counts;
  counts.split(" ").forEach((count, position) => (shown[position].textContent = count));
}

export function countOn(type) {
  const counts = list.dataset.today.split(" ").map(Number);
  if (!COUNTED.includes(type)) return;
  counts[COUNTED.indexOf(type)] += 1;
  putRight(counts.join(" "));
}
