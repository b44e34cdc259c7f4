/** What the person brings back from the page of a vendor: the code it shows, or the address it sends the browser to. */
export const visitVendor = async (url: string): Promise<string> => {
  const response = await fetch(url, { redirect: 'manual' });
  const back = response.headers.get('location');
  if (back !== null) return back;
  const page = await response.text();
  const code = /<code id="code">([^<]+)</.exec(page)?.[1];
  if (code === undefined) throw new Error(`The page of the vendor shows no code: ${page}`);
  return code;
};
