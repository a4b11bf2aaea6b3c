// Who has the context screen of an escalation open: "2 looking" on its card, names on the screen itself.
//
// The server says it again every few seconds while somebody looks. What it says no more is over; so are cards that
// came without their number, until the next time.

const OVER = 10_000;
const PAUSE = 3000; // a screen reader hears of names no more often
const MOST = 3;
const status = document.querySelector("[data-lookers]");
let numbers = {};
let people = [];
let count = 0;
let over;
let saying;
let saidAt = 0;

/** Whether what this page shows waits still; a page that does not would answer for nothing. */
export const isWaiting = () => Boolean(document.querySelector("[data-waiting]"));

/** A frame that says who looks. */
export function looked(frame) {
  numbers = frame.handoffs ?? {};
  people = frame.names ?? [];
  count = frame.count ?? people.length;
  clearTimeout(over);
  over = setTimeout(() => looked({}), OVER);
  showLookers();
}

/** Show it, also on what has just come onto the page. */
export function showLookers() {
  for (const shown of document.querySelectorAll("[data-looking]")) {
    const number = numbers[shown.dataset.looking];
    const text = number ? `${number} looking` : "";
    if (shown.textContent !== text) shown.textContent = text;
    shown.hidden = !text;
  }
  if (status) say(isWaiting() ? inWords() : "");
}

function say(text) {
  clearTimeout(saying);
  if (status.textContent === text) return;
  const wait = text ? saidAt + PAUSE - Date.now() : 0;
  if (wait > 0) return void (saying = setTimeout(showLookers, wait));
  status.textContent = text;
  saidAt = Date.now();
}

function inWords() {
  const { me, too } = status.dataset;
  const others = people.filter(({ id }) => id !== me).map(({ name }) => name);
  const unnamed = count - people.length;
  if (!others.length) return "";
  const names = others.length + unnamed > MOST ? others.slice(0, MOST - 1) : others;
  const rest = others.length + unnamed - names.length;
  const all = rest ? [...names, `${rest} others`] : names;
  const listed = all.length > 1 ? `${all.slice(0, -1).join(", ")} and ${all.at(-1)}` : all[0];
  return `${listed} ${all.length > 1 ? "are" : "is"} looking at it${too ?? ""}`;
}
