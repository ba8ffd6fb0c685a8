/**
 * Whether OpenAI's strict mode takes a schema: every object closed and every property required
 * (platform.openai.com/docs/guides/structured-outputs). Others are sent unenforced rather than refused.
 */
export function isStrictSchema(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isStrictSchema);
  if (schema === null || typeof schema !== 'object') return true;
  const { properties, required, additionalProperties } = schema as {
    properties?: object;
    required?: unknown;
    additionalProperties?: unknown;
  };
  if (properties !== undefined || (schema as { type?: unknown }).type === 'object') {
    const names = Object.keys(properties ?? {});
    if (additionalProperties !== false || !names.every((name) => Array.isArray(required) && required.includes(name))) return false;
  }
  return Object.values(schema).every(isStrictSchema);
}
