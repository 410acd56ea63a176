/** What the inspector serves as it is. */
export interface Assets {
  /** The page, whole; `{{nonce}}` stands where its nonce goes. */
  page: string;
  /** The drawings of docs/machines, by machine. */
  charts: ReadonlyMap<string, string>;
}

/** Baked in by scripts/build.ts; absent when the sources run as they are. */
declare const __INSPECTOR_ASSETS__: { page: string; charts: Record<string, string> } | undefined;

export async function loadAssets(): Promise<Assets> {
  const baked =
    typeof __INSPECTOR_ASSETS__ === 'object'
      ? __INSPECTOR_ASSETS__
      : await (await import('./build-assets.ts')).buildAssets();
  return { page: baked.page, charts: new Map(Object.entries(baked.charts)) };
}
