import { expect, test } from "vitest";
import { isIn, regionOf } from "../../src/diagram/region";

const ROOM = { width: 900, height: 500 };
const line = (x: number, y: number) => [
  { x, y },
  { x: x + 50, y },
];

test("all that is in sight is in the region", () => {
  for (const zoom of [0.05, 0.2, 0.45, 1, 2])
    for (const x of [-3000, -777, 0, 20, 640]) {
      const region = regionOf({ x, y: -33, zoom }, ROOM);
      const [left, right] = [-x / zoom, (ROOM.width - x) / zoom];

      expect(isIn(region, line(left, 33 / zoom))).toBe(true);
      expect(isIn(region, line(right - 50, (ROOM.height + 33) / zoom))).toBe(true);
    }
});

test("a line through the region is in it, though it begins and ends outside", () => {
  const long = [
    { x: -9000, y: 10 },
    { x: 9000, y: 10 },
  ];

  expect(isIn(regionOf({ x: 0, y: 0, zoom: 1 }, ROOM), long)).toBe(true);
});

test("what is far away is not in the region", () => {
  expect(isIn(regionOf({ x: 0, y: 0, zoom: 1 }, ROOM), line(5000, 0))).toBe(false);
});

test("a region stays the same while a diagram is moved a little", () => {
  const [before, after] = [-100, -180].map((x) => regionOf({ x, y: 0, zoom: 1 }, ROOM));

  expect(after).toBe(before);
});
