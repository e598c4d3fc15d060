/** What stands below the picture can be given more room, or less, where there is a whole page. */
import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";

const USUAL = 216;
const LEAST = 72;
/** What is left to the picture at least. */
const FOR_PICTURE = 160;
const STEP = 24;
const STEPS: Record<string, number> = { ArrowUp: STEP, ArrowDown: -STEP };

export function Divider() {
  const [room, setRoom] = useState(USUAL);
  const line = useRef<HTMLHRElement>(null);
  const begun = useRef<{ y: number; room: number } | null>(null);
  const give = (wanted: number): void => {
    const page = line.current?.parentElement;
    if (!page) return;
    const most = Math.max(LEAST, room + pictureOf(page) - FOR_PICTURE);
    const given = Math.round(Math.min(most, Math.max(LEAST, wanted)));
    page.style.setProperty("--dipeo-below", `${given}px`);
    setRoom(given);
  };
  const grab = (event: PointerEvent<HTMLElement>): void => {
    event.currentTarget.setPointerCapture(event.pointerId);
    begun.current = { y: event.clientY, room };
  };
  const pull = ({ clientY }: PointerEvent<HTMLElement>): void => {
    if (begun.current) give(begun.current.room + begun.current.y - clientY);
  };
  const steer = (event: KeyboardEvent<HTMLElement>): void => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    give(room + step);
  };
  return (
    <hr
      ref={line}
      className="dipeo-divider"
      aria-orientation="horizontal"
      aria-label="Height of what stands below"
      aria-valuenow={room}
      aria-valuemin={LEAST}
      tabIndex={0}
      onPointerDown={grab}
      onPointerMove={pull}
      onPointerUp={() => {
        begun.current = null;
      }}
      onKeyDown={steer}
    />
  );
}

function pictureOf(page: Element): number {
  return page.querySelector(".dipeo-picture-place")?.clientHeight ?? 0;
}
