/**
 * The errors of toxiproxy's API.
 *
 * @module
 */

/** Why a request is not done, and its status. The message goes to the client. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** An error about a body that is not as it must be. */
export function badBody(why: string): ApiError {
  return new ApiError(400, `bad request body: ${why}`);
}

/** An error about a field that is not there. */
export function missingField(name: string): ApiError {
  return new ApiError(400, `missing required field: ${name}`);
}
