// Every text that a person reads, in English. A translation is a copy of this folder.
import { addConnection } from './addConnection';
import { audit, members, overview, settings, tokens } from './administration';
import { common } from './common';
import { models } from './models';
import { detail } from './detail';
import { picker, playground } from './playground';
import { conflict, connections } from './connections';
import { credentials } from './credentials';
import { access, defaults, views } from './governance';
import { login, shell } from './shell';
import { sync } from './sync';

export const texts = {
  common,
  shell,
  login,
  models,
  detail,
  conflict,
  connections,
  addConnection,
  credentials,
  sync,
  defaults,
  views,
  access,
  audit,
  settings,
  members,
  tokens,
  overview,
  playground,
  picker,
};
