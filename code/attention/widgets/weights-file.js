// The file with the weights of a model: where it is, and how it is fetched.

/** Where the weights are: beside the site's scripts, or in the notebook's repository. */
export function addressOf({ name, version }, script, page) {
  const query = `?v=${version}`; // so that no browser takes another model from its store
  if (!script.startsWith("blob:")) return new URL(`weights/${name}${query}`, script).href;
  // JupyterLab shows /lab/tree/chapters/NOTEBOOK, and gives out files at /files/.
  const notebook = page.replace(/\/(lab(\/workspaces\/[^/]+)?\/tree|notebooks)\//, "/files/");
  return new URL(`../weights/${name}${query}`, notebook).href;
}

/** Fetch a file of a known size, and say how much of it has come. */
export async function fetchFile(address, bytes, tell) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`the server answers ${response.status}`);
  const file = new Uint8Array(bytes);
  let length = 0;
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (length + part.value.length > bytes) throw new Error("the file is too long");
    file.set(part.value, length);
    length += part.value.length;
    tell(length);
  }
  if (length < bytes) throw new Error("the file is not complete");
  return file.buffer;
}
