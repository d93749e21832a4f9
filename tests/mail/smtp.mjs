// Starts one SMTP server in this process and ends when stdin closes: a test that dies takes its server with it.
//
// The first line on stdout names the port. After that, a line for each message, parsed, and a line for each order that was obeyed.
// An order is a line on stdin: {"refuse": 550} answers every recipient with that status from then on, {"refuse": 0} takes them again.
import { createInterface } from 'node:readline';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

let refuse = 0;
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const server = new SMTPServer({
  authOptional: true,
  disableReverseLookup: true,
  // Without encryption too, so that credentials can be tried without a trusted certificate.
  allowInsecureAuth: true,
  onAuth(auth, _session, done) {
    if (auth.username === 'hilt' && auth.password === 'p@ss word') return done(null, { user: 'hilt' });
    return done(new Error('wrong credentials'));
  },
  onRcptTo(_address, _session, done) {
    if (!refuse) return done();
    return done(Object.assign(new Error('not here'), { responseCode: refuse }));
  },
  async onData(stream, session, done) {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    const raw = Buffer.concat(chunks);
    const mail = await simpleParser(raw, { skipHtmlToText: true, skipTextToHtml: true });
    tell({
      envelope: { from: session.envelope.mailFrom.address, to: session.envelope.rcptTo.map((to) => to.address) },
      user: session.user ?? null,
      from: mail.from.text,
      to: mail.to.text,
      subject: mail.subject,
      message_id: mail.messageId,
      date: mail.date.toISOString(),
      headers: mail.headerLines.map((header) => header.line),
      text: mail.text,
      html: mail.html,
      raw: raw.toString('latin1'),
    });
    done();
  },
});
server.on('error', (error) => tell({ error: error.code ?? error.message }));
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => tell({ port: server.server.address().port }));

createInterface({ input: process.stdin })
  .on('line', (line) => {
    refuse = JSON.parse(line).refuse;
    tell({ refuse });
  })
  .on('close', () => process.exit(0));
