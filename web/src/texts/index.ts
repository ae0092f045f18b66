// Every text that a person reads, in English. A translation is a copy of this folder.
import { common } from './common';
import { models } from './models';
import { detail } from './detail';
import { picker, playground } from './playground';
import { login, shell } from './shell';

export const texts = { common, shell, login, models, detail, playground, picker };
