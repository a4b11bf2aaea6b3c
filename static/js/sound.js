// A short soft sound, made here: two tones that fade.

const TONES = [
  [659.3, 0],
  [880, 0.14],
]; // Hz, and after how many seconds
const LASTS = 0.5;
const LOUD = 0.07; // of 1
let audio;

/** Play it. Before the first press on a page browsers allow none; one that came late would startle. */
export function play() {
  if (!window.AudioContext || navigator.userActivation?.hasBeenActive === false) return;
  audio ??= new AudioContext();
  audio.resume();
  for (const [frequency, after] of TONES) tone(frequency, audio.currentTime + after);
}

function tone(frequency, start) {
  const oscillator = audio.createOscillator();
  const volume = audio.createGain();
  oscillator.frequency.value = frequency;
  volume.gain.setValueAtTime(0, start);
  volume.gain.linearRampToValueAtTime(LOUD, start + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.0001, start + LASTS);
  oscillator.connect(volume).connect(audio.destination);
  oscillator.start(start);
  oscillator.stop(start + LASTS);
}
