import { fileProvider } from './token-file.js'

/** Azure (workload identity federation): usable only when the file's token was asked for our audience, which is not the default there. */
export const azure = fileProvider('azure', 'AZURE_FEDERATED_TOKEN_FILE')
