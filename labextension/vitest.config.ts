import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.{ts,tsx}"],
    environment: "happy-dom",
    isolate: false, // a DOM for each file is four fifths of the time, and none leaves anything in it
  },
});
