// The look: Material 3 roles (containers, tones, pills) on MUI's components, light and dark. Colours reach components as
// CSS variables, so that a change of the scheme renders nothing again.
import { createTheme } from '@mui/material/styles';

declare module '@mui/material/styles' {
  interface Palette {
    surface: Surfaces;
  }
  interface PaletteOptions {
    surface: Surfaces;
  }
}

/** Backgrounds by height, and the container colours of Material 3. */
interface Surfaces {
  low: string;
  container: string;
  high: string;
  primaryContainer: string;
  onPrimaryContainer: string;
  secondaryContainer: string;
  onSecondaryContainer: string;
  outline: string;
}

const light = {
  primary: { main: '#36618e', contrastText: '#ffffff' },
  secondary: { main: '#535f70', contrastText: '#ffffff' },
  error: { main: '#ba1a1a', contrastText: '#ffffff' },
  warning: { main: '#7a5900', contrastText: '#ffffff' },
  success: { main: '#2f6a3e', contrastText: '#ffffff' },
  info: { main: '#36618e', contrastText: '#ffffff' },
  background: { default: '#f8f9ff', paper: '#ffffff' },
  text: { primary: '#191c20', secondary: '#43474e', disabled: '#6f737a' },
  divider: '#c3c7cf',
  surface: {
    low: '#f2f3fa',
    container: '#eceef4',
    high: '#e6e8ee',
    primaryContainer: '#d1e4ff',
    onPrimaryContainer: '#194975',
    secondaryContainer: '#d7e3f7',
    onSecondaryContainer: '#3b4858',
    outline: '#73777f',
  },
};

const dark = {
  primary: { main: '#a0cafd', contrastText: '#003258' },
  secondary: { main: '#bbc7db', contrastText: '#253140' },
  error: { main: '#ffb4ab', contrastText: '#690005' },
  warning: { main: '#f5bf48', contrastText: '#402d00' },
  success: { main: '#95d5a0', contrastText: '#00391a' },
  info: { main: '#a0cafd', contrastText: '#003258' },
  background: { default: '#111418', paper: '#1a1d22' },
  text: { primary: '#e1e2e8', secondary: '#c3c7cf', disabled: '#9297a0' },
  divider: '#43474e',
  surface: {
    low: '#111418',
    container: '#24272c',
    high: '#2b2e33',
    primaryContainer: '#194975',
    onPrimaryContainer: '#d1e4ff',
    secondaryContainer: '#3b4858',
    onSecondaryContainer: '#d7e3f7',
    outline: '#8d9199',
  },
};

const pill = { borderRadius: 20, textTransform: 'none' as const, fontWeight: 500 };

export const theme = createTheme({
  cssVariables: { colorSchemeSelector: 'data-scheme' },
  colorSchemes: { light: { palette: light }, dark: { palette: dark } },
  shape: { borderRadius: 12 },
  typography: {
    fontFamily: '"Roboto Variable", system-ui, sans-serif',
    h1: { fontSize: '1.5rem', lineHeight: 1.3, fontWeight: 500 },
    h2: { fontSize: '1.125rem', lineHeight: 1.4, fontWeight: 500 },
    h3: { fontSize: '0.9375rem', lineHeight: 1.4, fontWeight: 600 },
    button: { textTransform: 'none' },
  },
  components: {
    MuiCssBaseline: {
      styleOverrides: {
        body: { fontVariantNumeric: 'tabular-nums' },
        ':focus-visible': { outline: '2px solid var(--mui-palette-primary-main)', outlineOffset: 2 },
        '@media (prefers-reduced-motion: reduce)': {
          '*, *::before, *::after': { animationDuration: '0.01ms !important', transitionDuration: '0.01ms !important' },
        },
      },
    },
    MuiButton: { defaultProps: { disableElevation: true }, styleOverrides: { root: { ...pill, minHeight: 36 } } },
    MuiToggleButton: {
      styleOverrides: {
        root: {
          textTransform: 'none',
          color: 'var(--mui-palette-text-secondary)',
          borderColor: 'var(--mui-palette-divider)',
          '&.Mui-selected, &.Mui-selected:hover': {
            color: 'var(--mui-palette-surface-onSecondaryContainer)',
            backgroundColor: 'var(--mui-palette-surface-secondaryContainer)',
          },
        },
      },
    },
    MuiSwitch: {
      styleOverrides: {
        root: { width: 48, height: 28, padding: 0, margin: '6px 10px 6px 11px', overflow: 'visible' },
        switchBase: {
          padding: 7,
          '&.Mui-checked': { transform: 'translateX(20px)' },
          '&.Mui-checked + .MuiSwitch-track': {
            opacity: 1,
            backgroundColor: 'var(--mui-palette-primary-main)',
            borderColor: 'var(--mui-palette-primary-main)',
          },
          '&.Mui-checked .MuiSwitch-thumb': { backgroundColor: 'var(--mui-palette-primary-contrastText)' },
          '&.Mui-focusVisible + .MuiSwitch-track': {
            outline: '2px solid var(--mui-palette-primary-main)',
            outlineOffset: 2,
          },
        },
        thumb: { width: 14, height: 14, boxShadow: 'none', backgroundColor: 'var(--mui-palette-surface-outline)' },
        track: {
          boxSizing: 'border-box',
          borderRadius: 14,
          opacity: 1,
          border: '2px solid var(--mui-palette-surface-outline)',
          backgroundColor: 'var(--mui-palette-surface-container)',
        },
      },
    },
    MuiChip: { styleOverrides: { root: { borderRadius: 8 } } },
    MuiDialog: { styleOverrides: { paper: { borderRadius: 24, backgroundImage: 'none' } } },
    MuiDrawer: { styleOverrides: { paper: { backgroundImage: 'none' } } },
    MuiPaper: { styleOverrides: { root: { backgroundImage: 'none' } } },
    MuiTab: { styleOverrides: { root: { textTransform: 'none', minHeight: 44, minWidth: 64 } } },
    MuiTabs: { styleOverrides: { root: { minHeight: 44 }, indicator: { height: 3, borderRadius: '3px 3px 0 0' } } },
    MuiTooltip: { defaultProps: { enterDelay: 400 } },
    MuiTextField: { defaultProps: { size: 'small' } },
    MuiSelect: { defaultProps: { size: 'small' } },
    MuiAlert: { styleOverrides: { root: { borderRadius: 12 } } },
  },
});
