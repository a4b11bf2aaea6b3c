// Files in the conversation: chosen, pasted or dropped, each is sent at once and waits in the composer until the message
// goes. Nothing that was typed is touched.

import { box, composer } from "./composer.js";
import { parse, process } from "./live.js";

const input = () => document.querySelector("[data-attach]");
const list = () => document.querySelector("[data-pending]");
const queue = [];
let busy = false;
let sendsAfterwards = false;

function say(text) {
  const status = document.querySelector("[data-attach-said]");
  if (status) status.textContent = text;
}

/** Upload these, one after another; each has a line at once. */
function attach(files) {
  for (const file of files) queue.push({ file, line: lineOf(file) });
  run();
}

async function run() {
  if (busy) return;
  busy = true;
  let failed = false;
  while (queue.length) failed = !(await upload(queue.shift())) || failed;
  busy = false;
  if (sendsAfterwards && !failed) composer()?.requestSubmit();
  sendsAfterwards = false;
}

function lineOf(file) {
  const line = parse('<li class="file" data-uploading><span class="file-words"></span><progress max="1" value="0"></progress><button type="button" class="button quiet tiny">Cancel</button></li>');
  line.querySelector("span").textContent = file.name;
  line.querySelector("progress").setAttribute("aria-label", `Uploading ${file.name}`);
  line.querySelector("button").addEventListener("click", () => {
    line.dispatchEvent(new Event("cancel"));
    line.remove();
    box()?.focus();
  });
  list().append(line);
  return line;
}

async function upload({ file, line }) {
  if (!line.isConnected) return true; // taken back before its turn
  const most = Number(input()?.dataset.most);
  if (file.size > most * 1024 * 1024) return fail(line, `“${file.name}” is larger than ${most} MB, which is the most for one file.`);
  say(`Uploading ${file.name}…`);
  const answer = await send(file, line);
  if (!line.isConnected) return true;
  if (answer.status === 204) return void location.assign(answer.getResponseHeader("HX-Redirect"));
  if (answer.status !== 201) return fail(line, why(answer, file));
  const shown = parse(answer.responseText);
  line.replaceWith(shown);
  process(shown);
  say(`${file.name} is attached.`);
  return true;
}

function send(file, line) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest(); // fetch tells no progress
    const told = new FormData();
    told.append("files", file, file.name);
    request.open("POST", input().dataset.attach);
    request.setRequestHeader("X-CSRFToken", composer().elements.csrfmiddlewaretoken.value);
    request.setRequestHeader("HX-Request", "true"); // refusals then come as a sentence, not as a page
    request.upload.addEventListener("progress", ({ loaded, total }) => (line.querySelector("progress").value = loaded / total));
    request.addEventListener("loadend", () => resolve(request));
    line.addEventListener("cancel", () => request.abort());
    request.send(told);
  });
}

function why(answer, file) {
  if (answer.status === 0) return `“${file.name}” was not uploaded: the server cannot be reached. Try again in a moment.`;
  const words = parse(`<div>${answer.responseText}</div>`).querySelector(".notice")?.textContent.trim();
  return words || `“${file.name}” was not uploaded. Try again in a moment.`;
}

function fail(line, words) {
  line.removeAttribute("data-uploading");
  line.classList.add("error");
  line.setAttribute("role", "alert");
  line.querySelector("progress").remove();
  line.querySelector("span").textContent = words;
  line.querySelector("button").textContent = "Dismiss";
  return false;
}

document.addEventListener("change", (event) => {
  if (event.target !== input()) return;
  attach([...event.target.files]);
  event.target.value = ""; // it went by itself, and must not go along with the message again
});

const clock = () => new Date().toTimeString().slice(0, 8).replaceAll(":", ".");

/** A picture from the clipboard is always called image.png. */
function named(file) {
  return /^image\.\w+$/.test(file.name) ? new File([file], `Screenshot ${clock()}.${file.name.split(".").pop()}`, { type: file.type }) : file;
}

document.addEventListener("paste", (event) => {
  const area = box();
  if (!area || (event.target !== area && event.target.matches?.("input, textarea, select"))) return;
  const files = [...event.clipboardData.files];
  const text = event.clipboardData.getData("text/plain");
  const room = area.maxLength - area.value.length + (area.selectionEnd - area.selectionStart);
  if (files.length && !text) attach(files.map(named));
  else if (event.target === area && text.length > room) attach([new File([text], `Pasted ${clock()}.log`, { type: "text/plain" })]);
  else return;
  event.preventDefault();
});

const bringsFiles = (event) => box() && event.dataTransfer?.types.includes("Files");
const over = (is) => composer()?.toggleAttribute("data-over", is);

document.addEventListener("dragover", (event) => {
  if (!bringsFiles(event)) return;
  event.preventDefault();
  over(true);
});
document.addEventListener("dragleave", (event) => event.relatedTarget || over(false));
document.addEventListener("drop", (event) => {
  over(false);
  if (!bringsFiles(event)) return;
  event.preventDefault();
  attach([...event.dataTransfer.files]);
  box().focus();
});

// On the way down, before HTMX: what is still on its way goes along, and nothing at all is not sent.
addEventListener("submit", (event) => {
  if (event.target !== composer()) return;
  const waiting = list().querySelectorAll("li:has([name=attachment])");
  for (const line of waiting) line.dataset.goes = "";
  const isEmpty = !box().value.trim() && !waiting.length;
  if (!busy && !isEmpty) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  sendsAfterwards = busy;
  if (busy) say("It is sent when the files are uploaded.");
}, true);

document.addEventListener("reset", (event) => {
  if (event.target !== composer()) return;
  for (const line of list().querySelectorAll("[data-goes], .error")) line.remove();
  say("");
});
