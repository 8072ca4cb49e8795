// Connects to `address port` as often as is said, one after the other, and prints what each server says, as JSON.
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';

const [host = '', port = '', times = '1'] = process.argv.slice(2);
const answers: string[] = [];
for (let count = 0; count < Number(times); count += 1) {
  const socket = createConnection({ host, port: Number(port) });
  socket.setTimeout(2000, () => socket.destroy(new Error('no answer')));
  const answer = text(socket).catch(
    (error: unknown) => (error as NodeJS.ErrnoException).code ?? String(error),
  );
  answers.push(await answer);
}
process.stdout.write(JSON.stringify(answers));
