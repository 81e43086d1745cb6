// Turns what went wrong between page and server into a sentence for people. The server answers a
// fault with one lower-case line of plain text; anything else is somebody in between.

const TEXT_LENGTH_MAX = 300;

/** A fault whose message may be shown as it is. */
export class Fault extends Error {}

/** Fetches, and throws a Fault that says why where the answer is not a good one. */
export async function fetchGood(address) {
  let response;
  try {
    response = await fetch(address);
  } catch {
    throw new Fault("The server does not answer. Is it running, and are you on line?");
  }
  if (!response.ok) {
    throw new Fault(await sentenceOf(response));
  }
  return response;
}

/** The message of a Fault; any other error is a fault of this page, and also goes to the console. */
export function explain(error) {
  if (error instanceof Fault) {
    return error.message;
  }
  console.error(error);
  return "The server's answer could not be understood.";
}

async function sentenceOf(response) {
  const isText = response.headers.get("content-type")?.startsWith("text/plain");
  const text = isText ? (await response.text()).trim() : "";
  if (text === "" || TEXT_LENGTH_MAX < text.length) {
    return `The server answered with status ${response.status}.`;
  }
  const stop = /[.!?]$/.test(text) ? "" : ".";
  return text.charAt(0).toUpperCase() + text.slice(1) + stop;
}
