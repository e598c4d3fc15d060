import { useEffect, useState } from "react";

const TICK = 200;

/** The time, in milliseconds; while it is `running`, it goes on. */
export function useNow(running: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!running) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), TICK);
    return () => clearInterval(timer);
  }, [running]);
  return now;
}
