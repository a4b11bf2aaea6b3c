// What one is asked to take over, above the queue. Frames only say for whom to look; what is lost is found within a minute.

import { fetchDocument, replaceKeepingFocus } from "./live.js";

const EVERY = 60_000;
const place = document.getElementById("offers");

async function fetchOffers() {
  const page = await fetchDocument(place.dataset.offers).catch(() => null); // whoever is signed out learns it elsewhere
  const fresh = page?.getElementById("offers");
  if (fresh && fresh.innerHTML !== place.innerHTML) replaceKeepingFocus(place, fresh);
}

export function offersChanged(frame) {
  if (frame.type === "resync" || frame.to === place.dataset.for) fetchOffers();
}

setInterval(() => document.hidden || fetchOffers(), EVERY);
document.addEventListener("connection", ({ detail }) => detail === "live" && fetchOffers());
document.addEventListener("visibilitychange", () => document.hidden || fetchOffers());
