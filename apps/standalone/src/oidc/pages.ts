/** The pages of the demonstration issuer. Every one says what it is, and everything that came from outside is escaped. */

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

const STYLE = `
  body{font:17px/1.5 system-ui,sans-serif;margin:0;background:#f4f1ea;color:#1d1b16}
  .demo{background:#8a3b12;color:#fff;padding:.6em 1em;text-align:center}
  main{max-width:26em;margin:10vh auto 0;background:#fff;padding:1.5em 2em 2em;border-radius:8px;box-shadow:0 1px 4px #0003}
  h1{font-size:1.35em;margin:.2em 0 .6em}
  label{display:block;margin:.9em 0 .2em;font-weight:600}
  input[type=text],input[type=email]{font:inherit;width:100%;box-sizing:border-box;padding:.45em .6em;border:1px solid #8885;border-radius:5px}
  button{font:inherit;margin-top:1.4em;padding:.5em 1.4em;border:0;border-radius:5px;background:#2d5d4b;color:#fff;cursor:pointer}
  .wrong{color:#8a1212} code{font-size:1.2em;letter-spacing:.08em}`

/** On every page. */
export const BANNER =
  '<div class="demo"><strong>demo</strong> issuer: anybody can be anybody here. Not for real signatures.</div>'

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)} – demo</title><style>${STYLE}</style></head>
<body>${BANNER}
<main><h1>${escapeHtml(title)}</h1>
${content}
</main></body></html>
`
}

/** The login form: a name and an e-mail address, no password. */
export function loginPage(options: { action: string; name: string; email: string; wrong?: string }): string {
  const wrong = options.wrong === undefined ? '' : `<p class="wrong" role="alert">${escapeHtml(options.wrong)}</p>`
  return page(
    'Who are you today?',
    `${wrong}<form method="post" action="${escapeHtml(options.action)}">
<label for="name">Name</label><input type="text" id="name" name="name" value="${escapeHtml(options.name)}" maxlength="100" autocomplete="name">
<label for="email">E-mail address</label><input type="email" id="email" name="email" value="${escapeHtml(options.email)}" maxlength="254" required autofocus autocomplete="email">
<button type="submit">Log in</button></form>`,
  )
}

/** Shows the code to type into a terminal that could not open a listener. */
export function codePage(code: string): string {
  return page(
    'Copy this code',
    `<p>Paste it into the terminal that waits for it:</p><p><code>${escapeHtml(code)}</code></p>`,
  )
}

/** Asks for the code that another device shows; `form` is the provider's own form, with its hidden fields. */
export function deviceInputPage(form: string, wrong: string | undefined): string {
  const said =
    wrong === undefined
      ? '<p>Type the code that your terminal shows.</p>'
      : `<p class="wrong" role="alert">${escapeHtml(wrong)}</p>`
  return page(
    'Log in on another device',
    `${said}${form}<button type="submit" form="op.deviceInputForm">Go on</button>`,
  )
}

export function deviceConfirmPage(form: string, userCode: string): string {
  const said = `<p>Go on only if your terminal shows this code:</p><p><code>${escapeHtml(userCode)}</code></p><p>If it shows another one, or if you did not begin a login, close this page.</p>`
  return page(
    'Is this your terminal?',
    `${said}${form}<button type="submit" form="op.deviceConfirmForm">Yes, go on</button>`,
  )
}

export function deviceDonePage(): string {
  return page('You are logged in', '<p>You can close this page and go back to the terminal.</p>')
}

export function errorPage(error: string, description: string): string {
  return page('That did not work', `<p>${escapeHtml(description === '' ? error : description)}</p>`)
}
