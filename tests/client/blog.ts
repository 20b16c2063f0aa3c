// Calls the service whose URL is the first argument, through the generated client: what compiles is what the types say.
import { createPost, createUser, listPosts, listUsers, readUser, updateUser } from './client';
import { client } from './client/client.gen';

declare const process: { argv: string[] };

function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

async function main(): Promise<void> {
  client.setConfig({ baseUrl: process.argv[2] });

  const created = await createUser({ body: { email: 'mara@example.net', name: 'Mara', role: 'author' } });
  assert(created.data, 'the user is created');
  const id: number = created.data.id;
  const bio: string | undefined = created.data.profile?.bio;
  assert(bio === undefined, 'a new user has no profile');

  const taken = await createUser({ body: { email: 'mara@example.net', name: 'Mara' } });
  assert(taken.error?.status === 409, 'a taken email is 409');
  const invalid = await createUser({ body: { email: 'mara', name: 'Mara' } });
  const location: string | number | undefined = invalid.error?.errors?.[0]?.location[1];
  assert(location === 'email', 'an invalid field is named');

  const page = await listUsers({ query: { page: 1, size: 5, sort: '-name', is_active: true } });
  const emails: string[] = page.data?.items.map((user) => user.email) ?? [];
  assert(emails.includes('mara@example.net'), 'the user is listed');

  const post = await createPost({ body: { author_id: id, title: 'Rye', content: 'Bread', tags: ['baking'] } });
  assert(post.data?.author.name === 'Mara', 'a post has its author');
  const posts = await listPosts({ query: { tag: 'baking', limit: 1 } });
  const cursor: string | null | undefined = posts.data?.next_cursor;
  assert(cursor === null && posts.data?.items[0]?.title === 'Rye', 'posts are listed');

  const changed = await updateUser({ path: { user_id: id }, body: { role: 'reader' } });
  assert(changed.data?.role === 'reader', 'the role is changed');
  const absent = await readUser({ path: { user_id: id + 1000 } });
  assert(absent.error?.title === 'Not Found', 'an absent user is 404');
}

// What the service would refuse, the compiler does.
export const refused = [
  // @ts-expect-error a user has a name
  () => createUser({ body: { email: 'mara@example.net' } }),
  // @ts-expect-error not a role
  () => createUser({ body: { email: 'mara@example.net', name: 'Mara', role: 'owner' } }),
  // @ts-expect-error an id is a number
  () => readUser({ path: { user_id: 'mara' } }),
  // @ts-expect-error not a parameter
  () => listUsers({ query: { offset: 5 } }),
];

void main();
