export const importTable: Record<string, { imports: string[]; external?: string[]; node?: boolean }>
