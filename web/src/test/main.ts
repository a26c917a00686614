/** The shared code as tests call it; no page has this. */
export * from "../console/form/field_errors";
export * from "../console/form/model";
export * from "../shared/json";
export * from "../shared/wire";
