const escapes: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (char) => escapes[char] ?? char);

/** The address of a link a person may follow: http, https or mailto with a host. Anything else is null. */
export const safeHref = (href: string): string | null => {
  if (!/^(https?:\/\/|mailto:)/i.test(href)) return null;
  try {
    return new URL(href).href;
  } catch {
    return null;
  }
};

/** Pictures that carry their own bytes load at once; everything else would tell a stranger's server what is read. */
export const safeImage = (href: string): boolean => /^data:image\/(png|jpeg|gif|webp);base64,/i.test(href);
