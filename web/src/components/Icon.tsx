import SvgIcon, { type SvgIconProps } from '@mui/material/SvgIcon';

/** An icon of @mdi/js. Decoration, unless it has a title. */
export function Icon({ path, title, ...rest }: SvgIconProps & { path: string; title?: string }) {
  return (
    <SvgIcon {...rest} {...(title ? { titleAccess: title } : {})}>
      <path d={path} />
    </SvgIcon>
  );
}
