import { resolve } from "node:path";
import { defineConfig } from "vite";

/**
 * `vite build --mode console|docs --outDir DIR` writes DIR/app.js and DIR/app.css; tools/pages makes a page of them.
 * `--mode test` writes DIR/app.js with the shared code as a global, `page`, for tests in the browser.
 */
export default defineConfig(({ mode }) => ({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  define: { "process.env.NODE_ENV": '"production"' },
  build: {
    target: "es2022",
    cssCodeSplit: false,
    emptyOutDir: true,
    reportCompressedSize: false,
    lib: {
      entry: resolve(import.meta.dirname, `src/${mode}/main.ts${mode === "console" ? "x" : ""}`),
      formats: ["iife"],
      name: "page",
      fileName: () => "app.js",
      cssFileName: "app",
    },
  },
}));
