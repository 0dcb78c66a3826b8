/** Follows a page as a person at the demonstration issuer would; resolves with the page where it ends. */
export function browse(start: string): Promise<{ url: string; html: string; status: number }>
