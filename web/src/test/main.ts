/** The shared code as tests call it; no page has this. */
export * from "../shared/json";
export * from "../shared/wire";
