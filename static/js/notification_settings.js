// Whether this browser may show desktop notifications, in words. It is asked only when the button is pressed.

import { show } from "./ringing.js";
import { play } from "./sound.js";

const words = document.querySelector("[data-permission-words]");
const asks = document.querySelector("[data-permission-ask]");
const tries = document.querySelector("[data-permission-try]");
const sounds = document.querySelector("[data-sound-try]");

const SAID = {
  default: "Desktop notifications: not allowed in this browser yet.",
  granted: "Desktop notifications: allowed in this browser. Above you choose for which escalations, and save.",
  denied:
    "Desktop notifications: blocked in this browser. To undo that, press the sign to the left of the address, allow notifications there, and reload this page.",
  insecure: "Desktop notifications: browsers show them only for addresses that begin with https://.",
  missing: "Desktop notifications: this browser has none.",
};

function tell() {
  const state = !window.isSecureContext ? "insecure" : "Notification" in window ? Notification.permission : "missing";
  words.textContent = SAID[state];
  asks.hidden = state !== "default";
  tries.hidden = state !== "granted";
}

asks.addEventListener("click", async () => {
  await Notification.requestPermission();
  tell();
});
tries.addEventListener("click", () => show("Escalation from a colleague · #12345: this is how one looks", "/queue/", "try"));
sounds.addEventListener("click", play);
sounds.hidden = !window.AudioContext;
tell();
navigator.permissions?.query({ name: "notifications" }).then((permission) => permission.addEventListener("change", tell));
