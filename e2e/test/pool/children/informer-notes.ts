/** What informer.ts says, one message each. */
export type InformerNote =
  | { readonly note: 'list'; readonly version: string; readonly count: number }
  | { readonly note: 'add' | 'update' | 'delete'; readonly name: string; readonly version: string }
  | { readonly note: 'error'; readonly message: string };
