/** The controls of a recording: a slider over its time, play and pause, speed. */
import { byId, setAttribute, setText } from './dom.ts';
import { clockTime, duration } from './format.ts';
import type { Recording } from './recording.ts';

export interface Player {
  open(name: string, recording: Recording): void;
  close(): void;
  /** The moment to show, in milliseconds since the epoch; moves on while it plays. */
  tick(): number;
  readonly isPlaying: boolean;
}

export function createPlayer(onChange: () => void, onClose: () => void): Player {
  const host = byId('player', HTMLElement);
  const slider = byId('slider', HTMLInputElement);
  const play = byId('play', HTMLButtonElement);
  const speed = byId('speed', HTMLSelectElement);
  const clock = byId('player-clock', HTMLElement);
  let recording: Recording | null = null;
  let [time, isPlaying, tickedAt] = [0, false, 0];

  function setPlaying(next: boolean): void {
    if (next && recording !== null && time >= recording.end) time = recording.begin;
    isPlaying = next;
    tickedAt = performance.now();
    setText(play, isPlaying ? 'Pause' : 'Play');
    onChange();
  }

  play.addEventListener('click', () => setPlaying(!isPlaying));
  slider.addEventListener('input', () => {
    time = (recording?.begin ?? 0) + Number(slider.value);
    onChange();
  });
  byId('player-close', HTMLButtonElement).addEventListener('click', onClose);

  return {
    open(name, next) {
      recording = next;
      time = next.begin;
      slider.max = String(next.end - next.begin);
      setText(byId('player-name', HTMLElement), `${name}, runtime ${next.picture.version}`);
      host.hidden = false;
      setPlaying(false);
      play.focus();
    },
    close() {
      recording = null;
      isPlaying = false;
      host.hidden = true;
    },
    tick() {
      if (recording === null) return time;
      const now = performance.now();
      if (isPlaying) time += (now - tickedAt) * Number(speed.value);
      tickedAt = now;
      if (time >= recording.end) {
        time = recording.end;
        if (isPlaying) setPlaying(false);
      }
      const offset = time - recording.begin;
      slider.value = String(offset);
      const text = `${clockTime(time)}, ${duration(offset)} of ${duration(recording.end - recording.begin)}`;
      setText(clock, text);
      setAttribute(slider, 'aria-valuetext', text);
      return time;
    },
    get isPlaying() {
      return isPlaying;
    },
  };
}
