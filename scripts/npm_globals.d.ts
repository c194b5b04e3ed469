// deno-lint-ignore-file no-empty-interface

// The global types that our declarations name and that not every user's compiler knows: those who have
// neither the types of Node nor those of the DOM, or a TypeScript without `Disposable`. Where there are
// others of the same name, these merge with them and change nothing.

interface SymbolConstructor {
  readonly dispose: unique symbol;
  readonly asyncDispose: unique symbol;
}

interface Disposable {
  [Symbol.dispose](): void;
}

interface AsyncDisposable {
  [Symbol.asyncDispose](): PromiseLike<void>;
}

interface AbortSignal {}
interface Blob {}
interface ErrorOptions {}
interface Event {}
interface EventTarget {}
interface Headers {}
// deno-lint-ignore no-explicit-any -- as in the others of this name
interface ReadableStream<R = any> {}
interface Request {}
interface Response {}
interface URL {}
// deno-lint-ignore no-explicit-any -- as in the others of this name
interface WritableStream<W = any> {}
