// Keys for the whole of an escalation. They rest while somebody types or a dialog is open, and can be turned off
// (WCAG 2.1.4), for this browser: the dialog behind "?" has the switch.

const TYPES = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
const LEADER = 1500; // ms in which `g` waits for its second key
const OFF = "keys-off";
const dialog = document.getElementById("keys-dialog");
const toggle = dialog.querySelector("[data-keys-switch]");
let leading = 0;

/** Whether this press may be a shortcut at all. */
export function isShortcut(event) {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return false;
  return !localStorage.getItem(OFF) && !event.target.closest?.(TYPES) && !document.querySelector("dialog[open]");
}

const visible = (element) => element?.checkVisibility() && !element.disabled;
const all = (selector, within = document) => [...within.querySelectorAll(selector)].filter(visible);

function press(selector, within) {
  const [found] = all(selector, within);
  found?.click();
  return Boolean(found);
}

/** The next or the previous card, or row of a list. */
function step(by) {
  const links = all(".card h2 a, .rows a:not(.ticket, .place a)");
  const here = document.activeElement.closest(".card, .rows > li");
  const at = here ? links.findIndex((link) => here.contains(link)) : by > 0 ? -1 : links.length;
  const next = links[Math.min(Math.max(at + by, 0), links.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
  return Boolean(next);
}

function go(place) {
  const [link] = all(`[data-go="${place}"]`);
  if (link) location.assign(link.href);
  return Boolean(link);
}

/** In the queue the card that has the focus, so that none is picked up by accident. */
function pickUp() {
  const within = document.getElementById("cards") ? document.activeElement.closest(".card") : document;
  return Boolean(within) && press(".pick-up", within);
}

/** The search; where there is none, that of the sessions. */
function search() {
  const [field] = all("[data-search]");
  field?.focus();
  field?.select();
  const [sessions] = field ? [] : all("[data-go=s]");
  if (sessions) location.assign(`${sessions.pathname}#search`);
  return Boolean(field ?? sessions);
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  p: pickUp,
  e: () => press("[data-opens=escalate-dialog]"),
  u: () => press("[data-undo]"),
  c: () => press("[data-continue]"),
  "/": search,
  "?": () => dialog.showModal() ?? true,
};

document.addEventListener("keydown", (event) => {
  if (!isShortcut(event) || event.repeat) return;
  const led = Date.now() - leading < LEADER;
  leading = event.key === "g" ? Date.now() : 0;
  if (led ? go(event.key) : KEYS[event.key]?.()) event.preventDefault();
});

toggle.checked = !localStorage.getItem(OFF);
toggle.addEventListener("change", () => {
  if (toggle.checked) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "yes");
});
for (const opener of document.querySelectorAll("[data-opens=keys-dialog]")) opener.hidden = false;
