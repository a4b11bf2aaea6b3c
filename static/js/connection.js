// One socket that comes back by itself, and words for how it is.
//
// It says "live" only while a frame came within the last 20 s (heartbeats come every 13 s). It comes back after 1 s,
// doubling to 30 s, with jitter, and starts over on `ready`, not on open: a server that accepts and drops would be
// hammered otherwise. After three failures the page asks every 5 s as well, because sockets may be all that is blocked.

const SILENCE = 20_000;
const LONGEST_HANDSHAKE = 8000; // until `ready`
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30_000;
const POLL_AFTER_FAILURES = 3;
const POLL_EVERY = 5000;
const SIGN_IN = 4401;
const NOT_YOURS = 4403;

const WORDS = {
  connecting: "Connecting…",
  live: "Live: changes appear by themselves",
  unavailable: "The database does not answer at the moment; trying again",
  reconnecting: "Reconnecting… what you see may be out of date",
  polling: "Live updates are blocked here; checking every 5 seconds",
  "signed-out": "Signed out",
  refused: "This page is not open to you any more",
};

export class Connection {
  /** `onFrame(frame)` gets every frame; `poll()` fetches, and resolves to whether that worked. */
  constructor(path, { onFrame, poll }) {
    this.path = path;
    this.onFrame = onFrame;
    this.poll = poll;
    this.failures = 0;
    this.stopped = false;
    this.watch = setInterval(() => this.check(), 1000);
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.drop());
    addEventListener("pagehide", () => this.rest());
    addEventListener("pageshow", (event) => event.persisted && this.connect());
    document.addEventListener("visibilitychange", () => document.hidden || this.hurry());
  }

  connect() {
    if (this.stopped) return;
    clearTimeout(this.retry);
    this.retry = undefined;
    this.close();
    if (!this.state || this.state === "resting") this.say("connecting");
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${this.path}`);
    this.socket = socket;
    this.openedAt = Date.now();
    this.lastFrame = undefined;
    socket.addEventListener("message", (event) => socket === this.socket && this.receive(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => socket === this.socket && this.closed(event.code));
  }

  receive(frame) {
    this.lastFrame = Date.now();
    if (frame.type === "ready") {
      this.failures = 0;
      this.stopPolling();
    }
    this.say(frame.type === "unavailable" ? "unavailable" : "live");
    this.onFrame(frame);
  }

  answer(text) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(text);
  }

  closed(code) {
    this.socket = undefined;
    if (code === SIGN_IN) return this.signIn();
    if (code === NOT_YOURS) return this.stop("refused");
    this.comeBack();
  }

  comeBack() {
    if (this.stopped || this.retry) return;
    this.failures += 1;
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (this.failures - 1));
    this.retry = setTimeout(() => this.connect(), wait * (0.5 + Math.random() / 2));
    if (this.polling) return;
    this.say("reconnecting");
    if (this.failures >= POLL_AFTER_FAILURES) this.startPolling();
  }

  startPolling() {
    this.polling = setInterval(() => this.ask(), POLL_EVERY);
    this.ask();
  }

  /** One poll. If the server answers again, so may the socket: that need not wait for its turn. */
  async ask() {
    const reached = await this.poll();
    if (!this.polling) return;
    const isBack = reached && this.reached === false;
    this.reached = reached;
    this.say(reached ? "polling" : "reconnecting");
    if (isBack) this.connect();
  }

  stopPolling() {
    clearInterval(this.polling);
    this.polling = undefined;
    this.reached = undefined;
  }

  /** A socket that looks open but brings nothing is dead. */
  check() {
    if (!this.socket || this.stopped) return;
    const silent = this.lastFrame ? Date.now() - this.lastFrame > SILENCE : Date.now() - this.openedAt > LONGEST_HANDSHAKE;
    if (silent) this.drop();
  }

  drop() {
    if (this.stopped) return;
    this.close();
    this.comeBack();
  }

  hurry() {
    if (this.socket && this.lastFrame && Date.now() - this.lastFrame < SILENCE) return;
    if (this.state !== "resting") this.connect();
  }

  rest() {
    this.close();
    this.stopPolling();
    clearTimeout(this.retry);
    this.retry = undefined;
    this.state = "resting";
  }

  close() {
    const socket = this.socket;
    this.socket = undefined;
    socket?.close();
  }

  signIn() {
    this.stop("signed-out");
    location.assign(`/login/?next=${encodeURIComponent(location.pathname + location.search)}`);
  }

  stop(state) {
    this.stopped = true;
    this.stopPolling();
    clearInterval(this.watch);
    this.close();
    this.say(state);
  }

  say(state) {
    if (this.state === state) return;
    this.state = state;
    for (const shown of document.querySelectorAll("[data-connection]")) {
      shown.dataset.connection = state;
      shown.querySelector("[data-connection-words]").textContent = WORDS[state];
    }
    document.dispatchEvent(new CustomEvent("connection", { detail: state }));
  }

  /** Parts of the page that came from the server anew do not know the state yet. */
  sayAgain() {
    const state = this.state;
    this.state = undefined;
    this.say(state);
  }
}
