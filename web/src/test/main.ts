/** The shared code as tests call it; no page has this. */
export * from "../console/views/webhook_form/field_errors";
export * from "../console/views/webhook_form/model";
export * from "../shared/json";
export * from "../shared/protocol";
