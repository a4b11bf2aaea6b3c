// Keeps waits and ages fresh. The server's clock counts: a laptop's may be wrong.

const TICK = 1000;
const skew = Date.parse(document.documentElement.dataset.now) - Date.now();

export const now = () => Date.now() + skew;

/** "4 s", "26 min", "1 h 04 min", "3 days": the words of escalations/templatetags/durations.py. */
export function inWords(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) {
    const minutes = String(Math.floor((seconds % 3600) / 60)).padStart(2, "0");
    return `${Math.floor(seconds / 3600)} h ${minutes} min`;
  }
  return `${Math.floor(seconds / 86400)} days`;
}

function age(time) {
  return inWords(Math.max(0, Math.floor((now() - Date.parse(time.dateTime)) / 1000)));
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** "2 minutes", "45 seconds": what is left until then, in the words of the same file; rather too long than too short. */
function left(time) {
  const seconds = Math.max(0, Math.ceil((Date.parse(time.dateTime) - now()) / 1000));
  const [n, unit] = seconds > 60 ? [Math.ceil(seconds / 60), "minute"] : [seconds, "second"];
  return `${n} ${unit}${n === 1 ? "" : "s"}`;
}

/** Show the ages below `root` as they are now. */
export function refresh(root = document) {
  for (const time of root.querySelectorAll("time[data-since]")) write(time, age(time));
  for (const time of root.querySelectorAll("time[data-ago]")) write(time, `${age(time)} ago`);
  for (const time of root.querySelectorAll("time[data-left]")) write(time, left(time));
  for (const pending of root.querySelectorAll("[data-deadline]")) {
    if (now() <= Date.parse(pending.dataset.deadline) + 500) continue;
    pending.removeAttribute("data-deadline"); // once
    pending.dispatchEvent(new CustomEvent("deadline", { bubbles: true }));
  }
}

refresh();
setInterval(refresh, TICK);
