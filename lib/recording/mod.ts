/**
 * Recordings of what sockets do: writing them, reading them, and making other formats of them.
 *
 * @module
 */

export { connectionsOf } from "./connections.ts";
export type { Party, RecordedConnection, RecordedStep } from "./connections.ts";
export { RecordingError } from "./error.ts";
export type {
  CutEvent,
  Recorded,
  RecordedCertificate,
  RecordedError,
  RecordedEvent,
  Recording,
  RecordingHead,
  Redaction,
} from "./format.ts";
export { toHar } from "./har/har.ts";
export type {
  Har,
  HarContent,
  HarCreator,
  HarEntry,
  HarLog,
  HarPair,
  HarPostData,
  HarRequest,
  HarResponse,
  HarTimings,
  HarWebSocketMessage,
} from "./har/format.ts";
export { liveDiagram } from "./live_diagram.ts";
export type { DataEvent, DiagramCanvas, DiagramMessage, DiagramWords } from "./live_diagram.ts";
export { recordingLine } from "./line.ts";
export { toMermaid } from "./mermaid.ts";
export { PcapngEncoder, toPcapng } from "./pcapng/pcapng.ts";
export { redacting } from "./redact.ts";
export { toSvg } from "./svg.ts";
export { summaryOf, toText } from "./text.ts";
export { readRecording } from "./read.ts";
export type { RecordingSource } from "./read.ts";
export { record, recordingSink } from "./record.ts";
export type { RecordingSink } from "./record.ts";
export { Recorder } from "./recorder.ts";
export type { RecordOptions } from "./recorder.ts";
