// Desktop notifications and the sound, for whoever wants them. What comes within three seconds comes as one.

import { now } from "./clock.js";
import { play } from "./sound.js";

const PAUSE = 3000;
const shown = new Map(); // by tag: a handoff, or an offer
let gathered = [];
let resting;

const isQuiet = (stretches) => stretches.some(([from, until]) => from * 1000 <= now() && now() < until * 1000);
const mayShow = () => "Notification" in window && Notification.permission === "granted";

/** Something about `handoff` has come, which `tag` names from now on; `told` says what is wanted. */
export function ring({ tag, handoff, priority, title }, told) {
  if (isQuiet(told.quiet)) return;
  const shows = told.wanted.desktop.includes(priority);
  const sounds = told.wanted.sound.includes(priority);
  if (!shows && !sounds) return;
  gathered.push({ tag, handoff, title, shows, sounds });
  if (!resting) tell();
}

/** It does not wait any more. */
export function forget(tag) {
  gathered = gathered.filter((each) => each.tag !== tag);
  shown.get(tag)?.close();
  shown.delete(tag);
}

function tell() {
  resting = undefined;
  const coming = gathered.splice(0);
  if (!coming.length) return;
  resting = setTimeout(tell, PAUSE);
  if (coming.some(({ sounds }) => sounds)) play();
  const seen = coming.filter(({ shows }) => shows);
  const what = seen.every(({ tag, handoff }) => tag === handoff) ? "escalations" : "notifications";
  if (seen.length === 1) show(seen[0].title, `/handoffs/${seen[0].handoff}/`, seen[0].tag);
  else if (seen.length) show(`${seen.length} ${what} are waiting`, "/queue/", "several");
}

/** One with the same tag takes the place of the one before. */
export function show(title, address, tag) {
  if (!mayShow()) return;
  let notification;
  try {
    notification = new Notification(title, { tag, icon: document.querySelector("link[rel=icon]").href });
  } catch {
    return; // phones show them only through a service worker
  }
  shown.set(tag, notification);
  notification.addEventListener("click", () => {
    notification.close();
    window.focus();
    go(address);
  });
  notification.addEventListener("close", () => shown.get(tag) === notification && shown.delete(tag));
}

/** The queue may be left; on any other page somebody may be writing. */
function go(address) {
  if (document.getElementById("cards") || !window.open(address, "_blank")) location.assign(address);
}
