// Measures a hand-off by phone, and fills in what it measured. Without it the two numbers are typed.

const TICK = 250;
const watch = document.querySelector("[data-stopwatch]");
const shown = watch.querySelector("[data-stopwatch-time]");
const button = watch.querySelector("[data-stopwatch-press]");
const field = (unit) => document.querySelector(`[data-stopwatch-fills="${unit}"]`);
let began; // on the page's own clock, which nobody can set
let ticking;

const elapsed = () => Math.floor((performance.now() - began) / 1000);

function show(seconds) {
  shown.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function start() {
  began = performance.now();
  button.textContent = "Stop";
  watch.dataset.stopwatch = "running";
  show(0);
  ticking = setInterval(() => show(elapsed()), TICK);
}

function stop() {
  clearInterval(ticking);
  const seconds = Math.max(1, elapsed());
  show(seconds);
  field("minutes").value = Math.floor(seconds / 60);
  field("seconds").value = seconds % 60;
  button.textContent = "Start again";
  watch.dataset.stopwatch = "";
  document.querySelector("[data-stopwatch-save]").focus();
}

button.addEventListener("click", () => (watch.dataset.stopwatch === "running" ? stop() : start()));
addEventListener("beforeunload", (event) => watch.dataset.stopwatch === "running" && event.preventDefault());
watch.hidden = false;
