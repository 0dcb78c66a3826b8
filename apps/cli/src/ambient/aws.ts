import { fileProvider } from './token-file.js'

/** AWS (IAM roles for service accounts): usable only when the file's token was asked for our audience, which is not the default there. */
export const aws = fileProvider('aws', 'AWS_WEB_IDENTITY_TOKEN_FILE')
